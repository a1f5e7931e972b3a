"""Hop 1: collectors in this process, and what they send committed before it is acknowledged."""
