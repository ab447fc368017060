"""Other GraphQL servers, and floors without GraphQL, on the tables of a throwaway marketplace, measured beside Torii."""
