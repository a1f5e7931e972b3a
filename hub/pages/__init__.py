"""The district's pages: routes, templates, and the words and figures that they are made of."""
