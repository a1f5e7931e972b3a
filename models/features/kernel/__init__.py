"""The compiled engine of feature set 1: the same facts as the reference in one walk over each window.

| facts | where |
|---|---|
| order of the signals, devices seen | `order` |
| dwell, equal sharing; each minute's main app (18) | `dwell` |
| dwell by app and channel (1-6, 16, 17, 21, 23, 24) | `walk.apps_of_device`, `walk.apps` |
| transitions (15), switches (22) | `walk.moves_of_device`, `walk.moves` |
| followers of the commonest app (18) | `walk.synchrony` |
| what was done (7-14, 19, 20) | `acts` |
"""
