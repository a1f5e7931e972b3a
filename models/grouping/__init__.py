"""Levels of classes and schools, with the doubt that lessons, coaches and a school's own habits leave.

Two layers. `clusters`, `foretold`, `mixture` and `windows` are statistics that know no rating and no fitted
group: `models.fitting` builds on them. `shares`, `levels` and `tables` turn what a fit wrote into levels, and
nothing that fits imports them.
"""
