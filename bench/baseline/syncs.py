"""How many full syncs cobblerd has begun since it started."""
import xmlrpc.client

events = xmlrpc.client.ServerProxy("http://10.91.0.1/cobbler_api").get_events("")
print(sum(1 for event in events.values() if "sync" in event[1].lower()))
