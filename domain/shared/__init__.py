"""What every module speaks of: ids, money, pages, viewers, refusals, time."""
