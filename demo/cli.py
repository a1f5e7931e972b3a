"""`commonground demo`: the whole main job on one machine."""

import json
from pathlib import Path
from typing import Annotated

import typer

from demo.progress import say

app = typer.Typer(name="demo", add_completion=False, pretty_exceptions_enable=False)


@app.command()
def demo(
    directory: Annotated[
        Path, typer.Option("--dir", metavar="DIR", help="Folder for everything that the demo makes.")
    ] = Path("demo-data"),
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port of the dashboard.")] = 8000,
    days: Annotated[
        int, typer.Option(min=1, max=180, help="How many school days to have replayed in total.")
    ] = 10,
    once: Annotated[bool, typer.Option("--once", help="Replay only, print a JSON summary, and end.")] = False,
    speed: Annotated[
        float, typer.Option(min=1, max=3600, help="Simulated seconds a second, once the replay is done.")
    ] = 60.0,
) -> None:
    """Run three simulated schools and a district hub on this machine.

    Two weeks of lessons are replayed through real agents and a real hub; then the school day runs on
    until Ctrl-C. A second run in the same folder goes on where the first ended.
    """
    from demo.driver import Driver  # numpy and the catalogue, for this command alone
    from demo.layout import Layout, held
    from demo.live import run_live
    from demo.ports import LOOPBACK
    from demo.processes import Children
    from demo.stop import StopFlag, Stopped

    layout = Layout(directory.resolve())
    live = False
    with held(layout), StopFlag() as stop:
        children = Children(layout.logs)
        driver = Driver(layout, port, children, stop)
        try:
            driver.open()
            driver.replay(days)
            if once:
                typer.echo(json.dumps(driver.summary()))
                return
            for agent in driver.agents:
                say(f"The agent of {agent.title}: http://{LOOPBACK}:{agent.port}/")
            typer.echo(f"The dashboard: http://{LOOPBACK}:{port}/ (Ctrl-C ends the demo)")
            live = True
            run_live(driver, speed)
        except Stopped:
            say("Ended; the same command goes on from here.")
            # Ending a live demo is how it is meant to end; a replay that was cut short says so.
            raise typer.Exit(0 if live else 128 + (stop.signal or 0)) from None
        finally:
            driver.close()
