# Changes of what accounts hold: nats-server goes on, only what makes streams and buckets has work.
{ lib, ... }:
{
  "a stream of the hub" = {
    fleet.accounts.CIM.streams.EVENTS.subjects = [ "events.>" ];
  };
  "a consumer of a stream of the hub" = {
    before.fleet.accounts.CIM.streams.EVENTS.subjects = [ "events.>" ];
    fleet.accounts.CIM.streams.EVENTS.consumers.worker.ackPolicy = "explicit";
  };
  "a bucket of the hub" = {
    fleet.accounts.CIM.kv.settings = { };
  };
  "an object store of the hub" = {
    fleet.accounts.CIM.objectStores.models = { };
  };
  "a stream of a leaf" = {
    host.services.cim.leaves.a.accounts.CIM.streams.EVENTS.subjects = [ "events.>" ];
  };
  "a limit of a stream of a leaf" = {
    before.host.services.cim.leaves.a.accounts.CIM.streams.EVENTS.subjects = [ "events.>" ];
    host.services.cim.leaves.a.accounts.CIM.streams.EVENTS.maxAge = "1d";
  };
  "consent to a loss" = {
    before.host.services.cim.leaves.a.accounts.CIM.streams.EVENTS.subjects = [ "events.>" ];
    host.services.cim.leaves.a.accounts.CIM.streams.EVENTS.allowDataLoss = "9f86d081884c-5-20";
  };
  "a stream of another hub" = {
    before.fleet = {
      hubs.other.nodes.other-1.address = "other-1.example.com";
      leaves = lib.genAttrs [ "a" "b" ] (_: {
        remotes.hub = { };
      });
    };
    fleet.accounts.CIM.streams.EVENTS = {
      hub = "other";
      subjects = [ "events.>" ];
    };
  };
  "streams of a leaf that may cross" = {
    fleet.leaves.a.streams.toHub = [ "EVENTS" ];
  };
}
