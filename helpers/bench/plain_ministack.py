"""MiniStack as it comes, with its own executor of functions: the control plane that the embedded AWS is built on."""

import sys

from .. import localaws
from .subject import Program, answers

SETTINGS = {
    "BIND_HOST": "127.0.0.1",
    "MINISTACK_HOST": "127.0.0.1",
    "AUTH": "false",
    "PERSIST_STATE": "0",
    "SFTP_ENABLED": "0",
    "IOT_MTLS_ENABLED": "0",
    "DOCKER_HOST": "unix:///nonexistent",  # the reader's containers are none of its business
    "LOG_LEVEL": "WARNING",
}


class PlainMiniStack(Program):
    name = "MiniStack"
    services = frozenset({"s3", "sqs", "sts"})
    on = "iam,lambda,logs,s3,sqs,sts"  # what is measured; some of the others listen on all addresses
    most_at_once = 100  # it begins as many Pythons as it is asked for, whatever this machine carries

    def start(self) -> None:
        port = localaws.free_port()
        self.url = f"http://127.0.0.1:{port}"
        variables = SETTINGS | {"SERVICES": self.on, "GATEWAY_PORT": str(port), "TMPDIR": str(self.folder)}
        self.run([sys.executable, "-m", "ministack"], variables, lambda: answers(f"{self.url}/_ministack/health"))
        if self.functions:
            self.deploy("arn:aws:iam::000000000000:role/bench")
