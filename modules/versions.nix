# nats-server versions to stay away from: version → what to do. cim-spec warns of the same ones.
{
  "2.14.4" = "nats-server 2.14.4 is known to be bad (nats-server#8449): use 2.14.5 or newer.";
  "2.12.14" = "nats-server 2.12.14 is known to be bad (nats-server#8449): use 2.14.5 or newer.";
}
