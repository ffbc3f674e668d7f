# Runs in the virtual machine, from its init: the services, then the scenarios. Its words go to the machine's console.
# PACKAGE is the folder of this package, NODE the Node.js that runs the scenarios.
. /out/parameters
cd "$PACKAGE" || exit 1
. test/radio/guest/services.sh
eval "set -- $ARGUMENTS"
# Its services live as long as the machine: no hook asks here what is left open.
CI="$CI" SONOTA_TEST_TOTALS=/out/totals.json "$NODE" node_modules/mocha/bin/mocha.js --no-config --no-color --timeout 240000 \
  --reporter scripts/reporter.cjs dist/test/radio/machine/up.js dist/test/radio/scenarios/*.js "$@"
echo $? >/out/code
sync
echo b >/proc/sysrq-trigger
