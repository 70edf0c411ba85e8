#!/bin/sh
# What acpid runs when the BMC asks for a soft power-off.
exec poweroff
