# Changes of the fleet: what one leaf is told is no other leaf's business.
{ lib, ... }:
{
  "nothing" = { };
  "a flow of a leaf" = {
    fleet.leaves.a.exports = [ "more.>" ];
  };
  "a flow to a leaf" = {
    fleet.leaves.a.imports = [ "commands.a.>" ];
  };
  "a leaf's certificate" = {
    fleet.leaves.a.certificate = lib.mkForce "CN=other";
  };
  "a leaf that joins the fleet" = {
    fleet.leaves.c = {
      account = "CIM";
      certificate = "CN=c";
      exports = [ "metrics.c.>" ];
    };
  };
  "a user of the hub's account" = {
    fleet.accounts.CIM.users.other.nkey = "UBLVEJ3WMT2E4QAWUKL73GOUL2GTNLGZCGNC7B7KBPGNKZMDXQUQGUYZ";
  };
  "a warning about the fleet that is kept" = {
    fleet.acknowledged."subject-names services.cim.fleet.leaves.a.exports.\"PLC.>\"" =
      "its controllers send nothing else";
  };
  "how long what is issued holds" = {
    fleet.lifetimes.leaf = "90d";
    fleet.expiryHorizon = "30d";
  };
  "another account" = {
    fleet.accounts.OTHER = { };
  };
  "an account's quota" = {
    fleet.accounts.CIM.jetstream.maxFile = "1GiB";
  };
  "more nodes of the hub" = {
    fleet.hubs.hub.nodes = {
      hub-2.address = "hub-2.example.com";
      hub-3.address = "hub-3.example.com";
    };
  };
  "a port of the hub" = {
    fleet.hubs.hub.nodes.hub-1.leafnodesPort = 7423;
  };
  "another hub" = {
    fleet = {
      hubs.other.nodes.other-1.address = "other-1.example.com";
      leaves.a.remotes = {
        hub = { };
        other = { };
      };
      leaves.b.remotes.hub = { };
    };
  };
  "the hub's domain" = {
    fleet.hubs.hub.domain = "other";
  };
  "a leaf's domain" = {
    fleet.leaves.a.domain = "other";
  };
  "a leaf's account on its own side" = {
    host.services.cim.leaves.a.accounts.LOCAL = { };
    fleet.leaves.a.localAccount = "LOCAL";
  };
}
