"""The look that hub and agent share: layout, style, words for numbers and dates, marks, figures."""
