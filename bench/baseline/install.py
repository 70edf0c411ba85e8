"""Arms the next network boot of a system with a token, which goes to stdout. usage: install.py SYSTEM"""
import secrets
import sys
import xmlrpc.client

name = sys.argv[1]
server = xmlrpc.client.ServerProxy("http://10.91.0.1/cobbler_api")
token = server.login("cobbler", "lab-cobbler")
install = secrets.token_hex(16)
variables = server.get_system(name)["autoinstall_meta"] | {"install_token": install, "install_generation": "bare"}
handle = server.get_system_handle(name, token)
server.modify_system(handle, "autoinstall_meta", variables, token)
server.modify_system(handle, "netboot_enabled", True, token)
server.save_system(handle, token, "bypass")
print(install)
