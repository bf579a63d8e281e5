# Operator mode without cim-health: nobody makes its credentials, and nobody asks when they end.
{
  fleet.operator = { };
  host.services.cim.hub = {
    enable = true;
    health.enable = false;
  };
}
