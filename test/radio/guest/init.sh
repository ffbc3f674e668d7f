#!/bin/sh
# The virtual machine's first program. Its root is that of the machine it runs on, seen over 9p and never written to: what
# the unpacked packages bring lies above it, and all that is written goes into memory.
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
while read -r module; do insmod "/modules/$module"; done </modules/order

share() { mount -t 9p -o "trans=virtio,version=9p2000.L,msize=524288,$3" "$1" "$2"; }
share machine /lower/machine ro,cache=loose
share tools /lower/tools ro,cache=loose
mount -t tmpfs tmpfs /upper
mkdir /upper/files /upper/work
mount -t overlay -o lowerdir=/lower/tools:/lower/machine,upperdir=/upper/files,workdir=/upper/work overlay /root
mkdir -p /root/out
share out /root/out rw

for place in proc sys dev; do mount --move "/$place" "/root/$place"; done
exec switch_root /root /bin/sh /out/start.sh
