"""Drives the lab's XenServer with the public XenAPI package, by XML-RPC: address, user and password as arguments, what it saw as JSON."""
import json
import sys

import XenAPI

address, user, password = sys.argv[1:]
session = XenAPI.Session(address, ignore_ssl=True)
seen = {}


def code(call):
    """The error code of a call that fails."""
    try:
        call()
    except XenAPI.Failure as failure:
        return failure.details[0]
    return "none"


seen["wrong password"] = code(lambda: session.xenapi.login_with_password(user, "wrong", "1.0", "test"))
session.xenapi.login_with_password(user, password, "1.0", "test")
seen["version"] = session.API_version
api = session.xenapi

[template] = api.VM.get_by_name_label("Other install media")
vm = api.VM.clone(template, "python")
api.VM.provision(vm)
seen["memory"] = api.VM.get_memory_static_max(vm)
api.VM.set_memory_limits(vm, str(2**28), str(2**28), str(2**28), str(2**28))
seen["memory then"] = api.VM.get_memory_static_max(vm)
seen["order violated"] = code(lambda: api.VM.set_memory_limits(vm, "2", "1", "1", "1"))
seen["a number of 64 bits"] = api.SR.get_record(api.SR.get_all()[1])["physical_size"]
seen["a float"] = api.VM.get_HVM_shadow_multiplier(vm)

# `from` is a word of the language.
events_from = getattr(api.event, "from")
events = events_from(["vm"], "", 0.0)
seen["event"] = {event["class"] for event in events["events"]} == {"vm"}
api.VM.set_name_description(vm, "changed")
later = events_from(["VM/" + vm], events["token"], 5.0)
seen["event then"] = [(event["operation"], event["snapshot"]["name_description"]) for event in later["events"]]

task = api.Async.VM.destroy(vm)
events_from(["task/" + task], "", 5.0)
while api.task.get_status(task) == "pending":
    events_from(["task/" + task], later["token"], 5.0)
seen["task"] = api.task.get_status(task)
seen["gone"] = code(lambda: api.VM.get_record(vm))
reference = session._session
session.xenapi.session.logout()
# Below the convenience of the package, which would log in again.
seen["after logout"] = session.VM.get_all(reference)["ErrorDescription"][0]
print(json.dumps(seen))
