# The same in a leaf's: a password in a URL, and a number.
{
  host.services.cim.leaves.a.settings = {
    http_base_path = "nats://app:hunter2@hub.example.com";
    cluster.authorization.PASSWORD = 2020202;
  };
  says = [
    "services.cim.leaves.a.settings.http_base_path: holds a secret (it is not shown)"
    "services.cim.leaves.a.settings.cluster.authorization.PASSWORD: holds a secret (it is not shown)"
  ];
  hides = [
    "hunter2"
    "2020202"
  ];
}
