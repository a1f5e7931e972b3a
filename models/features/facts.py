"""What either engine finds out about windows, and the features made of it: one formula each."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from models.features.columns import Floats, Ints, ratio
from models.features.set1 import EVIDENCE, FEATURE_INDEX, FEATURES
from shared.words import CHANNEL_INDEX, CHANNELS, Action

_SHARE_CHANNELS: Final = {
    f"{channel}_share": CHANNEL_INDEX[channel] for channel in CHANNELS if f"{channel}_share" in FEATURE_INDEX
}


@dataclass(frozen=True, slots=True)
class Facts:
    """Columns by window [w], entropies in bits, NaN where there is none.

    minutes: of the window; total, unlisted: seconds of dwell, in all and on stray apps; by_channel [w, 8]:
    the same by channel; done [w, actions]: how often; devices: seen, and of those coediting and chaining;
    mirrored: minutes; device_entropy: the devices' own, by their dwell.
    """

    minutes: Ints
    total: Floats
    unlisted: Floats
    by_channel: Floats
    done: Floats | Ints
    devices: Floats | Ints
    coediting: Floats | Ints
    chaining: Floats | Ints
    contribution_entropy: Floats
    transition_entropy: Floats
    app_entropy: Floats
    device_entropy: Floats
    synchrony: Floats
    mirrored: Floats | Ints
    switches: Floats | Ints


def feature_columns(facts: Facts) -> dict[str, Floats]:
    """The 24 features by name, each [w]; NaN where missing."""
    done, total, hours = facts.done, facts.total, facts.total / 3600
    most = np.log2(np.where(facts.devices > 1, facts.devices, np.nan))
    outside = done[:, Action.SHARE_OUTSIDE] + done[:, Action.PUBLISH]
    return {
        **{name: ratio(facts.by_channel[:, i], total) for name, i in _SHARE_CHANNELS.items()},
        "artefact_rate": ratio(done[:, Action.CREATE], hours),
        "revisions_per_artefact": done[:, Action.REVISE] / np.maximum(1, done[:, Action.CREATE]),
        "peer_share_rate": ratio(done[:, Action.SHARE_PEER], hours),
        "coedit_fraction": ratio(facts.coediting, facts.devices),
        "contribution_evenness": np.minimum(facts.contribution_entropy / most, 1.0),
        "capture_rate": ratio(done[:, Action.CAPTURE], hours),
        "ar_use": (done[:, Action.AR] > 0).astype(np.float64),
        "chain_fraction": ratio(facts.chaining, facts.devices),
        "transition_entropy": facts.transition_entropy,
        "app_entropy": facts.app_entropy,
        "choice_dispersion": np.maximum(facts.app_entropy - facts.device_entropy, 0),
        "synchrony": facts.synchrony,
        "mirror_share": ratio(facts.mirrored, facts.minutes),
        "outside_audience": (outside > 0).astype(np.float64),
        "switch_rate": ratio(facts.switches, hours),
        "unlisted_share": ratio(facts.unlisted, total),
        FEATURES[EVIDENCE]: total / 60,
    }
