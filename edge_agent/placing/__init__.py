"""Facts get their lesson and their pseudonym of the day, and become signals; or a reason why not."""
