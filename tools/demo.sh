#!/bin/sh
# demo.sh BIN DIR [ADDRESS]: serves a demonstration in DIR on high loopback ports, with the users ann
# (may relay) and bob (may not). Mail to the outside is written to DIR/outbox and never leaves the machine.
# A second run keeps everything.
set -eu
bin=$1 dir=$2 at=${3:-127.0.0.1}
gatepost="$bin/gatepost -c $dir/gatepost.toml"
if [ ! -e "$dir/made" ]; then
    [ -e "$dir/gatepost.toml" ] || "$bin/gatepost" init "$dir" --hostname mail.demo.test --domain demo.test \
        --address "$at" --smtp-port 2525 --submission-port 5870 --pop3-port 1100 --pop3s-port 9950 \
        --next-hop capture:outbox > /dev/null
    echo ann-demo-pass | $gatepost user add ann@demo.test --password-stdin
    echo bob-demo-pass | $gatepost user add bob@demo.test --password-stdin
    $gatepost group join "POP3 Relay" ann@demo.test
    sed 's/$/\r/' tools/demo-letter.eml > "$dir/letter.eml" # mail has CRLF line ends
    : > "$dir/made"
fi
ann="--auth PLAIN --auth-user ann@demo.test --auth-password ann-demo-pass --from ann@demo.test"
bob="--auth PLAIN --auth-user bob@demo.test --auth-password bob-demo-pass --from bob@demo.test"
# While nobody administers yet, each start prints a fresh one-time link for the first administrator.
if link=$($gatepost admin first 2> /dev/null); then
    console="open $link and choose a name and a password: the link works once"
else
    console="open http://$at:8025/ and sign in"
fi
cat <<EOF

Gatepost's demo. Its configuration is $dir/gatepost.toml; stop it with Ctrl-C. In another terminal try:

1. ann is in the group "POP3 Relay": her mail is relayed, which here means written to $dir/outbox
   swaks --server $at:5870 --tls $ann --to you@elsewhere.example
   curl -k --ssl-reqd -u ann@demo.test:ann-demo-pass --mail-from ann@demo.test --mail-rcpt you@elsewhere.example -T $dir/letter.eml smtp://$at:5870
   ls $dir/outbox

2. bob is not: 550 5.7.1 Unable to relay for you@elsewhere.example [relay-denied ...]
   swaks --server $at:5870 --tls $bob --to you@elsewhere.example

3. a stranger may write to a local mailbox and nowhere else
   swaks --server $at:2525 --from stranger@elsewhere.example --to bob@demo.test
   swaks --server $at:2525 --from stranger@elsewhere.example --to you@elsewhere.example

4. ann writes to bob, and bob collects what came
   swaks --server $at:5870 --tls $ann --to bob@demo.test --header "Subject: from ann"
   curl -k -u bob@demo.test:bob-demo-pass pop3s://$at:9950/
   curl -k -u bob@demo.test:bob-demo-pass pop3s://$at:9950/1

5. why? the same answers, stage by stage
   $gatepost explain submission --from 127.0.0.1 --tls --user ann@demo.test --mail-from ann@demo.test --rcpt you@elsewhere.example
   $gatepost explain submission --from 127.0.0.1 --tls --user bob@demo.test --mail-from bob@demo.test --rcpt you@elsewhere.example

6. all of it in a browser: $console

EOF
exec $gatepost run
