"""Usage exports: what a district's tools counted of products by day, as weekly units beside the lessons."""
