"""What a user would pick instead, written as such a user would write it well."""
