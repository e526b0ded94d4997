"""The server process of the embedded AWS: MiniStack with our data plane, on 127.0.0.1, until it is told to stop."""

import argparse
import asyncio
import concurrent.futures
import contextlib
import functools
import gc
import json
import os
import signal
import socket
import sys
from dataclasses import asdict
from pathlib import Path

from ..errors import WorkshopError
from .data_plane import capacity
from .saved_state.state_file import CannotBeRestored, StateError

# Every service that a notebook uses, and no other: some of the rest listen on all of this machine's addresses.
SERVICES = (
    "apigateway",
    "autoscaling",
    "cloudformation",
    "dynamodb",
    "dynamodbstreams",
    "ec2",
    "events",
    "iam",
    "kms",
    "lambda",
    "logs",
    "monitoring",
    "pipes",
    "rds",
    "resource-groups",
    "s3",
    "scheduler",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
    "states",
    "sts",
    "tagging",
)

# How often garbage is looked for: not as usual, as there is little of it, and much to look at while many calls run.
GARBAGE = 50_000, 20, 20
READ_LIMIT_S = 0.5  # how long readers of what happens have for the last of it
HEAR_LIMIT_S = 1.0  # how long an environment that begins waits for the event loop


def settings(port: int, region: str, concurrency: int) -> dict[str, str]:
    """MiniStack's settings, which it reads from the environment when it is imported."""
    return {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": region,
        "SERVICES": ",".join(SERVICES),
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "DOCKER_HOST": "unix:///nonexistent",  # the reader's containers are none of its business
        "PERSIST_STATE": "0",
        "AUTH": "true",
        "LAMBDA_ACCOUNT_CONCURRENCY": str(concurrency),
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
    }


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m helpers.localaws", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="folder for state and unpacked code")
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--cpu-share", choices=("on", "off"), default="on", help="CPU by the memory of a function")
    parser.add_argument("--iam", choices=("on", "off"), default="on", help="whether policies are asked")
    parser.add_argument("--concurrency", type=int, help="how many invocations run at a time; what this machine carries")
    parser.add_argument("--access-activity", action="store_true", help="note who did what in a file of the folder")
    parser.add_argument("--fresh", action="store_true", help="begin with nothing; what was kept is put aside")
    parser.add_argument("--put-aside", help="what could not be restored, and where it is")
    options = parser.parse_args(arguments)
    capacity.raise_descriptors()
    concurrency = options.concurrency or capacity.environments()
    for name in [name for name in os.environ if name.startswith(("AWS_", "MINISTACK_", "LAMBDA_"))]:
        del os.environ[name]  # the reader's credentials, and settings that would change what we promise
    os.environ.update(settings(options.port, options.region, concurrency))
    gc.disable()  # what the imports make stays: to look for garbage in it would be a tenth of the start, for nothing
    try:
        asyncio.run(_serve(options, concurrency))
    except StateError as error:
        print(error, file=sys.stderr)
        return 1
    except CannotBeRestored as error:  # begin anew as this same process: half of it is in its memory
        arguments = [argument for argument in arguments if argument != "--fresh"]
        os.execv(sys.executable, [sys.executable, "-m", "helpers.localaws", *arguments, "--put-aside", str(error)])
    except OSError as error:
        if error.filename is None:  # not about one of our files
            raise
        print(WorkshopError.about_file(error, options.home), file=sys.stderr)
        return 1
    return 0


async def _serve(options: argparse.Namespace, concurrency: int) -> None:
    import ministack.app

    from . import activity_stream, services
    from .access_key import access_key_of
    from .activity import Activity
    from .addresses import Addresses
    from .asgi import serve
    from .certificate import Certificate
    from .connections import Connections
    from .cross_site import from_here
    from .data_plane.census import Census
    from .data_plane.pool import Pool
    from .gateway import Gateway, is_own
    from .private_file import write_private
    from .saved_state.saver import NotSaved
    from .server_process import ACTIVITY_FILE, STATE_FILE, TELL
    from .services.acknowledged import Acknowledged
    from .services.iam.access_activity import AccessActivity
    from .services.iam.authentication import authenticated
    from .services.iam.evaluation import Iam
    from .services.iam.sts import RoleSessions
    from .services.kept import Kept
    from .services.lambda_.execution_role import ExecutionRoles
    from .services.rds.databases import Databases
    from .services.s3.cors import invites
    from .slack_stand_in import SlackStandIn

    home, port, region = options.home, options.port, options.region
    ended = asyncio.Event()
    connections = Connections(asyncio.get_running_loop())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    listener = socket.create_server(("127.0.0.1", port), backlog=512)
    endpoint = f"http://127.0.0.1:{port}"
    accesses = AccessActivity(home / ACTIVITY_FILE) if options.access_activity else None
    key, iam = access_key_of(home), Iam(options.iam == "on", accesses)
    kept = Kept(home / "localaws", options.fresh, options.put_aside)
    logs = kept.logs
    execution_roles = ExecutionRoles(iam, logs.write)
    cpu_share, heard = options.cpu_share == "on", functools.partial(_hear, asyncio.get_running_loop())
    certificate, sessions, write_log = Certificate(home), RoleSessions(), execution_roles.write_log
    functions = home / "localaws"
    activity = Activity()
    census = Census(activity.tell, activity.watched)
    pool = Pool(functions, endpoint, write_log, sessions, cpu_share, concurrency, heard, certificate.when_made, census)
    databases = Databases(home / "localaws")

    async def told_to_end() -> None:
        await ended.wait()
        census.close()
        activity.close()
        await activity.ended(READ_LIMIT_S)
        databases.close()
        pool.close()  # before the server waits for its requests: a function that runs would hold it up

    try:
        installed = services.install(pool, databases, logs, endpoint, key, iam, execution_roles)
        inbox = SlackStandIn(home, https=certificate.possible)
        addresses = Addresses(ministack.app.app, ended)
        kept.restore(installed.remembered, addresses, databases)
        if inbox.https_listener:
            addresses.serve_by_https(inbox.https_listener, inbox.listener.getsockname()[1], certificate)
        addresses.serve(inbox, inbox.listener)
        stream = activity_stream.ActivityStream(activity, census, key.secret_access_key, installed.faults.by_name)
        gateway = Gateway(ministack.app.app, addresses, stream, kept.life)
        gc.freeze()
        gc.set_threshold(*GARBAGE)
        gc.enable()
        state = home / STATE_FILE
        urls = {"inbox_url": inbox.url, "inbox_https_url": inbox.https_url}
        told = {
            "pid": os.getpid(),
            "port": port,
            "region": region,
            "life": kept.life,
            "found": kept.found,
            **urls,
            **asdict(key),
        }
        write_private(state, json.dumps(told))
        certificate.make()
        asyncio.get_running_loop().add_signal_handler(TELL, _write_again, state, json.dumps(told))
        try:
            acknowledged = Acknowledged(gateway, kept.saver, home)
            app = connections.spared(from_here(authenticated(acknowledged, but=is_own), invites))
            saving = asyncio.create_task(kept.saver.go_on())
            await serve(app, listener, told_to_end)
            await addresses.close()
            saving.cancel()
        finally:
            with contextlib.suppress(OSError):
                state.unlink()
    finally:
        databases.close()
        pool.close()
        try:
            kept.close()
        except NotSaved as error:
            print(error, file=sys.stderr)
        if accesses:
            accesses.close()


def _hear(loop: asyncio.AbstractEventLoop) -> None:
    """For another thread: wait until the event loop has dealt with what has come, but not for long."""
    passed = asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop)
    with contextlib.suppress(TimeoutError, concurrent.futures.CancelledError):  # it is very busy, or ends
        passed.result(HEAR_LIMIT_S)


def _write_again(state: Path, text: str) -> None:
    """Write the state file once more: it was damaged, or is gone."""
    from .private_file import write_private

    try:
        write_private(state, text)
    except OSError as error:
        print(f"The state file cannot be written anew: {error}.", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
