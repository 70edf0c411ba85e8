#!/bin/sh
# Cobbler's snippets for RPM systems call `curl URL -o FILE`; busybox has wget.
url= out=-
while [ $# -gt 0 ]; do
  case $1 in -o) out=$2; shift ;; -*) ;; *) url=$1 ;; esac
  shift
done
exec wget -q -O "$out" "$url"
