"""The front door that clients rely on: signing in, projects, commands, the agent, idempotency, cancel, workspaces."""

import io
import json
import tarfile
import time
import uuid


def project(running):
    return running.call("POST", "/v1/projects", {"name": f"suite-{uuid.uuid4().hex[:8]}"})["id"]


def command(running, project_id, argv, **more):
    return running.call("POST", "/v1/jobs", {"project_id": project_id, "kind": "command", "argv": argv, **more})


def check_a_command_runs_and_its_output_can_be_read(running, errand):
    job = command(running, project(running), ["sh", "-c", "echo hello; echo oops >&2; exit 3"])
    assert job["state"] == "queued" and job["attempt"] == 0
    final = running.wait_final(job["id"])
    assert final["state"] == "failed" and final["reason"] == "exit_code" and final["result"]["exit_code"] == 3, final
    status, _, output = running.request("GET", f"/v1/jobs/{job['id']}/output")
    assert (status, output) == (200, b"hello\n")


def check_output_can_be_read_by_range(running, errand):
    job = command(running, project(running), ["sh", "-c", "seq 1 100000"], workspace="none")
    running.wait_final(job["id"])
    whole = running.request("GET", f"/v1/jobs/{job['id']}/output")[2]
    assert whole == b"".join(b"%d\n" % n for n in range(1, 100001))
    status, headers, part = running.request("GET", f"/v1/jobs/{job['id']}/output", headers={"range": "bytes=1000-1999"})
    assert status == 206 and part == whole[1000:2000], (status, len(part))
    assert headers["content-range"] == f"bytes 1000-1999/{len(whole)}"
    status, _, tail = running.request("GET", f"/v1/jobs/{job['id']}/output", headers={"range": "bytes=-7"})
    assert status == 206 and tail == whole[-7:]
    assert running.request("GET", f"/v1/jobs/{job['id']}/output", headers={"range": "bytes=99999999-"})[0] == 416


def check_the_agent_works_in_the_workspace(running, errand):
    home = project(running)
    prompt = "standin: write notes.txt remember the milk\nstandin: bash cat notes.txt\nstandin: say all done"
    job = running.call("POST", "/v1/claude/execute", {"project_id": home, "prompt": prompt})
    final = running.wait_final(job["id"])
    assert final["state"] == "succeeded", final
    assert final["result"]["turns"] >= 1 and final["result"]["agent_version"], final["result"]
    assert b"all done" in running.request("GET", f"/v1/jobs/{job['id']}/output")[2]
    lines = running.request("GET", f"/v1/jobs/{job['id']}/transcript")[2].splitlines()
    kinds = {json.loads(line)["type"] for line in lines}
    assert {"system", "assistant", "user", "result"} <= kinds, kinds
    again = command(running, home, ["cat", "notes.txt"])
    assert running.wait_final(again["id"])["state"] == "succeeded"
    assert b"remember the milk" in running.request("GET", f"/v1/jobs/{again['id']}/output")[2]


def check_a_model_error_is_a_failure(running, errand):
    job = running.call("POST", "/v1/claude/execute", {"project_id": project(running), "prompt": "standin: error 529"})
    final = running.wait_final(job["id"], 120)
    assert final["state"] == "failed" and final["reason"], final


def check_the_same_key_gives_the_same_job(running, errand):
    home, key = project(running), uuid.uuid4().hex
    body = {"project_id": home, "kind": "command", "argv": ["true"]}
    first = running.call("POST", "/v1/jobs", body, headers={"idempotency-key": key})
    second = running.call("POST", "/v1/jobs", body, headers={"idempotency-key": key})
    assert first["id"] == second["id"]
    status, _, answer = running.request("POST", "/v1/jobs", {**body, "argv": ["false"]}, headers={"idempotency-key": key})
    assert status == 409 and json.loads(answer)["code"] == "idempotency_key_reused"


def check_cancel_kills_the_whole_tree(running, errand):
    job = command(running, project(running), ["sh", "-c", "setsid sh -c 'trap \"\" TERM; sleep 300' & sleep 300"])
    while running.call("GET", f"/v1/jobs/{job['id']}")["state"] != "running":
        time.sleep(0.02)
    running.call("POST", f"/v1/jobs/{job['id']}/cancel")
    final = running.wait_final(job["id"], 30)
    assert final["state"] == "cancelled", final
    assert running.call("POST", f"/v1/jobs/{job['id']}/cancel")["state"] == "cancelled"


def check_a_timeout_ends_the_job(running, errand):
    job = command(running, project(running), ["sleep", "300"], timeout_seconds=1)
    final = running.wait_final(job["id"], 30)
    assert final["state"] == "timed_out" and final["reason"] == "timeout", final


def check_a_workspace_goes_in_and_out(running, errand):
    home = project(running)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo("src/main.txt")
        entry.size = 5
        tar.addfile(entry, io.BytesIO(b"hello"))
    put = running.request("PUT", f"/v1/projects/{home}/workspace", raw=archive.getvalue(), headers={"content-type": "application/x-tar"})
    assert put[0] == 200, put
    status, _, back = running.request("GET", f"/v1/projects/{home}/workspace")
    assert status == 200
    with tarfile.open(fileobj=io.BytesIO(back)) as tar:
        names = {name.removeprefix("./") for name in tar.getnames()}
        assert "src/main.txt" in names, names


def check_a_hostile_archive_is_refused(running, errand):
    home = project(running)
    for name, kind, link in [
        ("../outside", tarfile.REGTYPE, ""),
        ("/etc/evil", tarfile.REGTYPE, ""),
        ("pipe", tarfile.FIFOTYPE, ""),
        ("device", tarfile.CHRTYPE, ""),
        ("leave", tarfile.SYMTYPE, "/etc/passwd"),
        ("climb", tarfile.SYMTYPE, "../../x"),
    ]:
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, link
            tar.addfile(entry)
        status, _, answer = running.request(
            "PUT", f"/v1/projects/{home}/workspace", raw=archive.getvalue(), headers={"content-type": "application/x-tar"}
        )
        assert status == 422 and json.loads(answer)["code"] == "workspace_refused", (name, status, answer)


def check_an_archive_that_does_not_fit_names_its_entry(running, errand):
    def entry(name, kind=tarfile.REGTYPE, link="", mode=0o644):
        info = tarfile.TarInfo(name)
        info.type, info.linkname, info.mode = kind, link, mode
        return info

    def put(entries, damage=lambda raw: raw):
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for one in entries:
                tar.addfile(one)
        status, _, answer = running.request(
            "PUT", f"/v1/projects/{project(running)}/workspace", raw=damage(archive.getvalue()), headers={"content-type": "application/x-tar"}
        )
        return status, json.loads(answer)

    def bad_time(raw):
        block = bytearray(raw[:512])
        block[136:147] = b"zzzzzzzzzzz"
        block[148:156] = b" " * 8
        block[148:156] = b"%06o\0 " % sum(block)
        return bytes(block) + raw[512:]

    directory = entry("d", tarfile.DIRTYPE, mode=0o755)
    loop = [entry("a", tarfile.SYMTYPE, "b"), entry("b", tarfile.SYMTYPE, "a"), entry("a/x")]
    for code, name, found in [
        ("workspace_entry_failed", "h", put([entry("h", tarfile.LNKTYPE, "missing")])),
        ("workspace_entry_failed", "d", put([directory, entry("d/x"), entry("d")])),
        ("workspace_entry_failed", "a/x", put(loop)),
        ("workspace_refused", ".", put([entry(".")])),
        ("workspace_refused", "f", put([entry("f")], bad_time)),
    ]:
        status, told = found
        assert (status, told["code"]) == (422, code) and f'entry "{name}"' in told["detail"], found
    status, told = put([directory, entry("d/x"), entry("h", tarfile.LNKTYPE, "d/x"), entry("l", tarfile.SYMTYPE, "h")])
    assert status == 200 and told["entries"] == 4, told
    return "5 misfits and their control"


def check_a_listing_is_paged_by_cursor(running, errand):
    home = project(running)
    ids = [command(running, home, ["true"], workspace="none")["id"] for _ in range(5)]
    seen, cursor = [], None
    while True:
        query = f"/v1/jobs?project_id={home}&limit=2" + (f"&cursor={cursor}" if cursor else "")
        page = running.call("GET", query)
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == sorted(ids, reverse=True)


def check_what_is_not_there_is_a_404(running, errand):
    for path in ("/v1/jobs/job_01kzzzzzzzzzzzzzzzzzzzzzzz", "/v1/jobs/nonsense", "/v1/projects/prj_01kzzzzzzzzzzzzzzzzzzzzzzz", "/nowhere"):
        status, headers, answer = running.request("GET", path)
        assert status == 404 and headers["content-type"] == "application/problem+json", (path, status)
        assert json.loads(answer)["request_id"]
