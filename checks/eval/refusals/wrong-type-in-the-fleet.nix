# The fleet is a module of its own, but its errors carry the options' full paths.
{
  fleet.leaves.a.exports = "metrics.>";
  says = [ "services.cim.fleet.leaves.a.exports" ];
}
