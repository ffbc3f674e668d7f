#!/bin/sh
# What a DHCP client does with its lease.
case "$1" in
  deconfig) ip addr flush dev "$interface" ;;
  bound | renew) ip addr replace "$ip/$mask" dev "$interface" ;;
esac
