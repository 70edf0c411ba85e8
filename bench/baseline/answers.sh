#!/bin/sh
echo "token=$getVar('install_token', '')" >/etc/testbed-install
