# Option types for what crosses a leaf's links: subjects, what they are called at the other end, and whether they are stored
# until they got there.
{ lib }:
let
  inherit (lib) mkOption types;

  text =
    example: description:
    mkOption {
      type = types.nullOr types.str;
      default = null;
      inherit example description;
    };

  durable = types.submodule {
    options = {
      longestPartition = mkOption {
        type = types.str;
        example = "24h";
        description = ''
          How long the link may be cut: what is published meanwhile is kept, and crosses afterwards. What is older than
          {option}`maxAge` by then is gone.
        '';
      };
      rate = mkOption {
        type = types.str;
        example = "64KiB";
        description = ''
          Bytes that come in each second at most, over {option}`maxAge`, as the store counts them: payload, headers and
          subject, and some 30 for each message. Where more comes the stream is full: publishers get an error.
        '';
      };
      name = text "ORDERS_OUT" ''
        Name of the streams that are made, at both ends. `null`: the subject's plain tokens in capitals, `ORDERS_EU` for
        `orders.eu.>`. Flows of several leaves to the hub that have one name are gathered in one stream.
      '';
      stream = text "ALL_ORDERS" ''
        The stream of {option}`services.cim.fleet.accounts.<name>.streams` at the hub: of an export, the one that the
        leaf's is added to as a source; of an import, the one that holds it. Its limits are its own. `null`: one is made.
      '';
      hub = text "hub" "The hub at the other end. `null`: the only one that the leaf dials.";
      maxAge = text "48h" ''
        How old messages get in the streams that are made. `null`: {option}`longestPartition`, and a quarter or 10 minutes
        more, for links take a while to copy again.
      '';
      maxBytes = text "8GiB" ''
        How many bytes each stream that is made holds, for each leaf that it gathers from. `null`: {option}`rate` for
        {option}`maxAge`; where messages arrive, {option}`longestPartition` longer.
      '';
    };
  };
  full = types.submodule {
    options = {
      subject = mkOption {
        type = types.str;
        example = "metrics.>";
        description = "The subject where messages are published, with wildcards.";
      };
      prefix = text "leaf.cim-001" ''
        What stands before the subject, and a dot, at the end where messages arrive. `null`: nothing. A leaf with such a
        flow that is not {option}`durable`, or one with {option}`to`, has its links in an account of their own, out of
        which messages are streamed to it, as has a leaf that speaks MQTT; requests do not cross then.
      '';
      to = text "plant.$1.metrics" "What the subject is called at the end where messages arrive: `$1` for its first `*`. `null`: the same.";
      canary = text "metrics.canary" ''
        The one of its subjects, without wildcards, by which {option}`cim-health` tries the flow: at the end where messages
        are published, one that nobody else publishes. Then permissions, names at both ends and accounts in between are those
        of the flow's own messages. The price: who subscribes to the flow hears it too, every few seconds, at the end where
        it arrives and at the other, and a stream of such subjects stores it. `null`: the canary goes beside the flow, on
        `cim.canary.<leaf>.…`, and nobody else hears it. A {option}`durable` flow has none: its streams show whether it goes on.
      '';
      durable = mkOption {
        type = types.nullOr durable;
        default = null;
        example = {
          longestPartition = "24h";
          rate = "64KiB";
        };
        description = ''
          Streams at both ends carry the flow, so that a cut link delays messages and loses none. Who publishes gets the
          acknowledgement of a stream at his own end, and who reads does it from one at the other; subscribers there hear
          nothing. `null`: messages cross as they are published, and what finds the link cut is gone.
        '';
      };
    };
  };
in
# A text stays one: a hub host reads the flows of all leaves, and evaluates no module for it. The reference has what else
# a flow may be.
types.either types.str full // { inherit (full) getSubOptions; }
