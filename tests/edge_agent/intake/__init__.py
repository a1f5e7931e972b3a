"""What collectors send is committed before it is acknowledged, as far as there is room."""
