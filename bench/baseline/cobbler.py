"""The bare writes: systems into cobbler, one after another, with one login. Reads names, MACs and addresses as JSON from stdin.

usage: cobbler.py add|remove
"""
import json
import sys
import time
import xmlrpc.client

hosts = json.load(sys.stdin)
server = xmlrpc.client.ServerProxy("http://10.91.0.1/cobbler_api")
token = server.login("cobbler", "lab-cobbler")


def add(host):
    name, fqdn = host["name"], host["name"] + ".lab.test"
    handle = server.new_system(token)
    for attribute, value in [
        ("name", name),
        ("comment", "cloudstack-testbed:cloudstack-testbed/bench/0000000000000000"),
        ("profile", "bench-profile"),
        ("hostname", fqdn),
        ("gateway", "10.92.0.1"),
        ("name_servers", ["10.91.0.1"]),
        ("kernel_options", {}),
        ("autoinstall_meta", {}),
        ("modify_interface", {
            "macaddress-eth0": host["mac"],
            "ipaddress-eth0": host["address"],
            "netmask-eth0": "255.255.0.0",
            "dnsname-eth0": fqdn,
            "static-eth0": True,
        }),
    ]:
        server.modify_system(handle, attribute, value, token)
    server.save_system(handle, token, "new")


def prepare():
    server.write_autoinstall_template("bench.sh", "#!/bin/sh\n", token)
    handle = server.new_distro(token)
    for attribute, value in [
        ("name", "bench-distro"),
        ("breed", "redhat"),
        ("os_version", "rhel8"),
        ("kernel", "/srv/lab/distro/hv/vmlinuz"),
        ("initrd", "/srv/lab/distro/hv/initrd.img"),
    ]:
        server.modify_distro(handle, attribute, value, token)
    server.save_distro(handle, token, "new")
    handle = server.new_profile(token)
    for attribute, value in [("name", "bench-profile"), ("distro", "bench-distro"), ("autoinstall", "bench.sh")]:
        server.modify_profile(handle, attribute, value, token)
    server.save_profile(handle, token, "new")


if sys.argv[1] == "add":
    prepare()
began = time.perf_counter()
for host in hosts:
    add(host) if sys.argv[1] == "add" else server.remove_system(host["name"], token, False)
print(time.perf_counter() - began)
if sys.argv[1] == "remove":
    server.remove_profile("bench-profile", token, False)
    server.remove_distro("bench-distro", token, False)
    server.remove_autoinstall_template("bench.sh", token)
