# What both ends agree on. Make the nkeys yourself: `nk -gen user -pubout` prints a seed, then the public key.
{
  hubs.hub.nodes.hub.address = "hub.example.com";

  accounts.CIM.users.operator.nkey = "UBVGWPGYNIWSLV6ZZWDIFVDKQ4TJC5BW6X5GGNH7KL7CYEZQNSPKLXRR";

  leaves.plant-a = {
    account = "CIM";
    nkey = "UDZFAHJRZS32ZKEWAX53BNSFI6TKD3XNKEMKBGNWGSMXQFHSXULRLSY5";
    imports = [ "commands.>" ];
    exports = [ "metrics.>" ];
  };
}
