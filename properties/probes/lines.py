"""The lines of docs/clients.md: requests from standard input go to a client's methods, answers go to standard output."""
import json
import sys
import threading

OK, FAIL, INFO = "ok", "fail", "info"
_lock = threading.Lock()


def tell(**line):
    """Writes one line; from any thread."""
    with _lock:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def given():
    """Settings on the command line, name=value: they go before those of the runner."""
    return dict(word.split("=", 1) for word in sys.argv[1:] if "=" in word)


def partitions(request, field="partitions"):
    return [(one["topic"], one["partition"], one.get("offset")) for one in request[field]]


def run(roles, outcome, name=lambda error: type(error).__name__):
    """Serves one client until its input ends. roles: what makes a client of a role from its settings; a method named as a request answers with a dict, or with None and tells by itself later.
    outcome(name, retries) says of an error whether what was asked for certainly did not happen (fail) or may have happened (info)."""
    if "--outcomes" in sys.argv:
        for line in sys.stdin:
            print(line.strip(), outcome(line.strip(), 0), outcome(line.strip(), 1))
        return
    client = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["f"] == "open":
                client = roles[request["role"]]({**request["settings"], **given()})
                answer = {"client": client.name}
            else:
                answer = getattr(client, request["f"])(request)
        except Exception as error:  # whatever a library throws is an answer
            answer = {"type": outcome(name(error), client.retries if client else 0), "error": f"{name(error)}: {error}"}
        if answer is not None:
            tell(**{"id": request["id"], "type": OK, **answer})
        if request["f"] == "close":
            break
