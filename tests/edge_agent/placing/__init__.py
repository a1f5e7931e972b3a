"""Facts get their lesson, or a reason why not."""
