# Changes of what tries a flow: the leaf's server takes it over, a hub of static accounts starts again.
{ lib, ... }:
let
  metrics = priority: canary: {
    fleet.leaves.a.exports = priority [
      {
        subject = "metrics.a.>";
        inherit canary;
      }
    ];
  };
in
{
  "a canary that goes by a subject of its flow" = {
    before = metrics lib.mkForce null;
  }
  // metrics (lib.mkOverride 10) "metrics.a.canary";
}
