"""A plain site: `python -m benchmarks.ends.plain_site PORT DATABASE`: lessons posted, stored, shown.

What somebody would write who lets a script post each lesson to a small web application.
"""

import html
import json
import sqlite3
import sys

import uvicorn
from fastapi import FastAPI, Request, Response


def create(database: str) -> FastAPI:
    """POST /lessons keeps one; GET /classes/CODE shows them all."""
    app = FastAPI()
    store = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    store.execute("PRAGMA journal_mode=WAL")
    store.execute("PRAGMA synchronous=FULL")
    store.execute("CREATE TABLE lessons (class TEXT, start TEXT, record TEXT)")

    async def keep(request: Request) -> Response:
        record = await request.json()
        row = (record["class"], record["start"], json.dumps(record))
        store.execute("INSERT INTO lessons VALUES (?, ?, ?)", row)
        return Response(status_code=204)

    def show(code: str) -> Response:
        rows = store.execute("SELECT start, record FROM lessons WHERE class = ?", (code,)).fetchall()
        items = "".join(f"<li>{html.escape(start)}: {html.escape(record)}</li>" for start, record in rows)
        return Response(f"<ul>{items}</ul>", media_type="text/html")

    app.add_api_route("/lessons", keep, methods=["POST"])
    app.add_api_route("/classes/{code}", show)
    return app


if __name__ == "__main__":
    uvicorn.run(create(sys.argv[2]), port=int(sys.argv[1]), log_level="warning")
