# What a Debian with a desktop starts at boot, as far as Wi-Fi needs it: udev, D-Bus, polkit, wpa_supplicant, and a
# NetworkManager whose only wire is eth0. Sourced by start.sh in the virtual machine, never on the machine itself.
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /dev/shm 2>/dev/null || { mkdir -p /dev/shm && mount -t tmpfs tmpfs /dev/shm; }
mkdir -p /run/dbus /run/netns /var/lib/NetworkManager /etc/NetworkManager/system-connections
ip link set lo up

for name in messagebus polkitd; do
  grep -q "^$name:" /etc/passwd && continue
  echo "$name:x:$((990 + ${#name})):$((990 + ${#name}))::/nonexistent:/usr/sbin/nologin" >>/etc/passwd
  echo "$name:x:$((990 + ${#name})):" >>/etc/group
done
# What its package does when it is installed.
for folder in /etc/polkit-1/rules.d /var/lib/polkit-1; do [ -d "$folder" ] && chown -R polkitd "$folder"; done
[ -s /etc/machine-id ] || tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id

/lib/systemd/systemd-udevd --daemon
modprobe mac80211_hwsim radios=6
udevadm trigger --subsystem-match=net --subsystem-match=ieee80211
udevadm settle --timeout=20

# A radio each for the home's router, the device's access point, its station, and a second device; the first is the
# machine's own. Radios hear one another from namespace to namespace.
give() { ip netns add "$2" 2>/dev/null; iw phy "phy$1" set netns name "$2"; ip -n "$2" link set lo up; }
give 1 home
give 2 sonoff
give 3 sonoff
give 4 other
give 5 other
ip link add eth0 type veth peer name lan netns home

cat >/etc/NetworkManager/NetworkManager.conf <<'CONF'
[main]
plugins=keyfile
dhcp=internal
dns=none
no-auto-default=*
auth-polkit=true

[connectivity]
enabled=false

[device-eth0]
match-device=interface-name:eth0
managed=1
CONF
rm -f /usr/lib/NetworkManager/conf.d/*.conf
cat >/etc/NetworkManager/system-connections/wire.nmconnection <<'CONF'
[connection]
id=Wire
uuid=5f0e0a6e-5d3a-4d0f-9a3e-0c9d1c7b2a01
type=ethernet
interface-name=eth0

[ipv4]
method=auto

[ipv6]
method=disabled
CONF
chmod 600 /etc/NetworkManager/system-connections/*

dbus-daemon --system --fork --nopidfile
/usr/lib/polkit-1/polkitd --no-debug >/out/polkit.log 2>&1 &
wpa_supplicant -u -B -f /out/wpa.log -O /run/wpa_supplicant
