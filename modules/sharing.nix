# Option types for what accounts let each other have: exports, imports, mappings.
{ lib }:
let
  inherit (lib) mkOption types;

  optional =
    type: example: description:
    mkOption {
      type = types.nullOr type;
      default = null;
      inherit example description;
    };
  text = optional types.str;
  flag = optional types.bool true;

  required =
    example: description:
    mkOption {
      type = types.str;
      inherit example description;
    };

  latency = types.submodule {
    options = {
      sampling = required "10%" "Which share of the requests is measured, or `headers` for those that ask for it.";
      subject = required "latency.orders" "Subject on which the figures are published.";
    };
  };

  export = types.submodule {
    options = {
      stream = text "events.>" "Messages that flow to who imports. Exactly one of `stream` and `service` is set.";
      service = text "orders.get" "Requests that are answered in this account.";
      accounts = optional (types.listOf types.str) [
        "CIM"
      ] "Accounts that may import it. `null`: all of them.";
      accountTokenPosition =
        optional types.ints.positive 2
          "Which token of the subject, counted from 1, must be the importing account's name. `null`: none.";
      responseType = optional (types.enum [
        "single"
        "stream"
        "chunked"
      ]) "stream" "How a service answers. `null`: nats-server's own, a single message.";
      threshold = text "5s" "How long a service's answers may pause before the request is over. `null`: nats-server's own.";
      latency = optional latency {
        sampling = "10%";
        subject = "latency.orders";
      } "How long a service takes to answer, measured. `null`: not measured.";
      allowTrace = flag "Whether message traces follow a request into this account. `null`: nats-server's own, they do not.";
    };
  };

  exported = types.submodule {
    options = {
      account = required "ORDERS" "Account that exports it.";
      subject = required "events.>" "Subject as that account calls it; its export must cover it.";
    };
  };

  import = types.submodule {
    options = {
      stream = optional exported {
        account = "ORDERS";
        subject = "events.>";
      } "Messages that flow in. Exactly one of `stream` and `service` is set.";
      service = optional exported {
        account = "ORDERS";
        subject = "orders.get";
      } "Requests that the other account answers.";
      prefix = text "orders" "What stands before the subject here, and a dot. `null`: nothing.";
      to = text "shop.$1.>" "What the subject is called here: `$1` for its first `*`. `null`: the same.";
      share = flag "Whether the answering service learns who asks. `null`: nats-server's own, it does not.";
      allowTrace = flag "Whether message traces go on in the other account. `null`: nats-server's own, they do not.";
    };
  };

  destination = types.submodule {
    options = {
      destination = required "orders.v2.{{wildcard(1)}}" "Subject that the message gets.";
      weight = mkOption {
        type = types.ints.between 0 100;
        default = 100;
        description = "How many of a hundred messages go there; what the weights leave over keeps its subject.";
      };
      cluster = text "hub" "Only on servers of this cluster. `null`: everywhere.";
    };
  };
in
{
  exports = mkOption {
    type = types.listOf export;
    default = [ ];
    example = [ { stream = "events.>"; } ];
    description = ''
      Subjects that other accounts of the same server may import. See
      <https://docs.nats.io/running-a-nats-service/configuration/securing_nats/accounts>.
    '';
  };
  imports = mkOption {
    type = types.listOf import;
    default = [ ];
    example = [
      {
        stream = {
          account = "ORDERS";
          subject = "events.>";
        };
      }
    ];
    description = ''
      Subjects of other accounts of the same server; each must be exported there. Streams carry messages
      one way; requests need a service.
    '';
  };
  mappings = mkOption {
    type = types.attrsOf (
      types.coercedTo types.str (destination: [ { inherit destination; } ]) (types.listOf destination)
    );
    default = { };
    example."orders.*" = "orders.v2.{{wildcard(1)}}";
    description = ''
      Where messages go instead, by the subject that they are published to. See
      <https://docs.nats.io/nats-concepts/subject_mapping>.
    '';
  };
}
