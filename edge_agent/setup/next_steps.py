"""What somebody does after `agent init`: three steps on, and the steps back."""

from pathlib import Path


def next_steps(folder: Path, missing: list[str], private_key: Path) -> list[str]:
    """Lines to print; `missing` are files that agent.toml names and that are not there yet."""
    bring = f"  0. put these where agent.toml says: {', '.join(missing)}\n" if missing else ""
    return f"""\
Made {folder / "agent.toml"}. Next:
{bring}  1. one cart: commonground agent profile {folder} --out profiles
     (its README.md says how); a past log tells something already:
     commonground agent replay {folder} --source KIND LOG --out records.jsonl
  2. check: commonground agent check {folder}
     until nothing is left to fix
  3. the fleet: commonground agent join {folder} TOKEN_FILE
     then commonground agent service {folder}
The steps back:
  stop the service (or Ctrl-C): iPads notice nothing, nothing depends on the agent
  in the MDM unassign its profiles; take out what you put into DHCP, resolver and firewall
  delete {folder} and its backups: then every key and number of this school is gone here;
  what left already is with the district (`agent disclosures` lists it): ask there
Move {private_key} to a safe place: it alone opens
the records that left, the agent does not need it, and nobody can make it again.""".splitlines()
