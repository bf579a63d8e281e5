# Changes of flows that are stored until they have crossed: how much is stored is a matter of their streams.
{ lib, ... }:
let
  orders = priority: durable: {
    fleet.leaves.a.exports = priority [
      {
        subject = "orders.>";
        durable = {
          longestPartition = "24h";
          rate = "1KiB";
        }
        // durable;
      }
    ];
  };
in
{
  "a durable flow of a leaf" = orders lib.id { };
  "how long the link of a durable flow may be cut" = {
    before = orders lib.mkForce { };
  }
  // orders (lib.mkOverride 10) { longestPartition = "48h"; };
  "the name of a durable flow's streams" = {
    before = orders lib.mkForce { };
  }
  // orders (lib.mkOverride 10) { name = "SALES"; };
}
