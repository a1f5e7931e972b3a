"""Levels of classes and schools, with the doubt that lessons, coaches and a school's own habits leave."""
