"""Errand's measured operations written for FastAPI the way its documentation shows."""

import asyncio
import contextlib
import datetime
import json
import os
import uuid

import asyncpg
import jwt
from fastapi import Depends, FastAPI, HTTPException, WebSocket
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

KEYS = {key.key_id: key.key for key in jwt.PyJWKSet.from_dict(json.loads(os.environ["PEER_KEYS"])).keys}
ISSUER = os.environ["PEER_ISSUER"]
TABLE = """
create table if not exists peer_jobs (
    id uuid primary key, team_id uuid not null, project_id uuid not null, submitted_by uuid not null,
    kind text not null, state text not null, priority integer not null, workspace text not null,
    attempt integer not null, max_attempts integer not null, argv text[] not null,
    created_at timestamptz not null, started_at timestamptz, finished_at timestamptz
)"""
INSERT = """
insert into peer_jobs values ($1, $2, $3, $4, 'command', 'queued', 5, $5, 0, 1, $6, now())
returning *"""


class Health(BaseModel):
    status: str
    version: str


class NewJob(BaseModel):
    project_id: str
    kind: str
    argv: list[str]
    workspace: str = "project"


class Job(BaseModel):
    id: uuid.UUID
    team_id: uuid.UUID
    project_id: uuid.UUID
    submitted_by: uuid.UUID
    kind: str
    state: str
    priority: int
    workspace: str
    attempt: int
    max_attempts: int
    argv: list[str]
    created_at: datetime.datetime
    started_at: datetime.datetime | None
    finished_at: datetime.datetime | None


@contextlib.asynccontextmanager
async def lifespan(application):
    # asyncpg prepares each statement once per session and keeps it.
    async with asyncpg.create_pool(os.environ["PEER_DATABASE"], min_size=4, max_size=4) as pool:
        await pool.execute(TABLE)
        application.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)
bearer = HTTPBearer()


async def signed_in(credentials: HTTPAuthorizationCredentials = Depends(bearer)) -> dict:
    token = credentials.credentials
    try:
        key = KEYS[jwt.get_unverified_header(token)["kid"]]
        return jwt.decode(token, key, algorithms=["EdDSA"], audience=ISSUER, issuer=ISSUER)
    except (jwt.InvalidTokenError, KeyError) as error:
        raise HTTPException(401) from error


@app.get("/health")
async def health() -> Health:
    return Health(status="ok", version=os.environ["PEER_VERSION"])


@app.get("/v1/jobs/{job_id}")
async def get_job(job_id: uuid.UUID, claims: dict = Depends(signed_in)) -> Job:
    row = await app.state.pool.fetchrow("select * from peer_jobs where id = $1", job_id)
    if row is None:
        raise HTTPException(404)
    return Job(**row)


@app.post("/v1/jobs", status_code=202)
async def create_job(new: NewJob, claims: dict = Depends(signed_in)) -> Job:
    team = project = person = uuid.UUID(int=1)
    row = await app.state.pool.fetchrow(INSERT, uuid.uuid4(), team, project, person, new.workspace, new.argv)
    return Job(**row)


@app.websocket("/v1/jobs/{job_id}/stream")
async def stream(socket: WebSocket, job_id: str):
    await socket.accept()
    await socket.send_text("{}")
    with contextlib.suppress(Exception):
        while True:
            await asyncio.wait_for(socket.receive_text(), 3600)
