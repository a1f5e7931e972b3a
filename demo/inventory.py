"""The device inventory as an MDM exports it: one CSV row an iPad."""

import csv
import io
from typing import Final

from demo.school import School

HEADER: Final = ("serial_number", "wifi_mac", "user", "room", "device_name", "model", "os_version")
_MODELS: Final = {"learner": "iPad (9th generation)", "cart": "iPad (8th generation)", "staff": "iPad Air"}


def render_inventory(school: School) -> str:
    """The export: own iPads with their user, cart iPads with their room; visitors are in no inventory."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADER)
    for device in school.devices:
        if device.listed:
            user = device.owner.username if device.owner else ""
            writer.writerow(
                (device.serial, device.listed, user, device.room, device.name, _MODELS[device.kind], "18.6.1")
            )
    return out.getvalue()
