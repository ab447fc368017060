"""Operations that are answered more than once: subscriptions, @defer and @stream."""
