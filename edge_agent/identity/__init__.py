"""Who, where, when, without keeping who: address -> hardware -> device -> class -> lesson, in memory only."""
