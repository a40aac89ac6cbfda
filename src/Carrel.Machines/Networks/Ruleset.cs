namespace Carrel.Machines.Networks;

/// <summary>The one place that writes nftables rules.</summary>
internal static class Ruleset
{
    /// <summary>
    /// What an installation has once: who may go where is a chain per computer, found by its interface. Adding it again
    /// changes nothing that is there but renews the static chains.
    /// </summary>
    internal static string Installation(string table, string dnsServer, IEnumerable<string> allowedPrivate)
    {
        var allowed = string.Join(", ", allowedPrivate);
        return $$"""
            add table inet {{table}}
            add set inet {{table}} interfaces { type ifname; }
            add set inet {{table}} private { type ipv4_addr; flags interval; auto-merge; elements = { {{string.Join(", ", Addressing.PrivateRanges)}} }; }
            add set inet {{table}} allowed { type ipv4_addr; flags interval; auto-merge; {{(allowed.Length > 0 ? $"elements = {{ {allowed} }};" : "")}} }
            add map inet {{table}} egress { type ifname : verdict; }
            add chain inet {{table}} forward { type filter hook forward priority -10; policy accept; }
            add chain inet {{table}} input { type filter hook input priority -10; policy accept; }
            add chain inet {{table}} resolve { type nat hook prerouting priority dstnat; policy accept; }
            add chain inet {{table}} leave { type nat hook postrouting priority srcnat; policy accept; }
            flush chain inet {{table}} forward
            flush chain inet {{table}} input
            flush chain inet {{table}} resolve
            flush chain inet {{table}} leave
            add rule inet {{table}} forward iifname vmap @egress
            add rule inet {{table}} forward iifname @interfaces drop
            add rule inet {{table}} forward oifname @interfaces ct state established,related accept
            add rule inet {{table}} forward oifname @interfaces drop
            add rule inet {{table}} input iifname @interfaces icmp type echo-request ip daddr {{Addressing.Gateway}} limit rate 50/second accept
            add rule inet {{table}} input iifname @interfaces ct state established,related accept
            add rule inet {{table}} input iifname @interfaces drop
            add rule inet {{table}} resolve iifname @interfaces ip daddr {{Addressing.Gateway}} udp dport 53 dnat ip to {{dnsServer}}
            add rule inet {{table}} resolve iifname @interfaces ip daddr {{Addressing.Gateway}} tcp dport 53 dnat ip to {{dnsServer}}
            add rule inet {{table}} leave iifname @interfaces masquerade

            """;
    }

    /// <summary>
    /// A slot's rules. On its interface: stateless translation between the inside address, the same in every computer, and
    /// the slot's own; anything else (other sources, IPv6, foreign ARP) is dropped before the host's stack sees it.
    /// </summary>
    internal static string AddSlot(string table, int slot)
    {
        var (device, slotTable, address) = (Addressing.Interface(slot), Addressing.SlotTable(slot), Addressing.HostSide(slot));
        return $$"""
            add table netdev {{slotTable}}
            add chain netdev {{slotTable}} from_guest { type filter hook ingress device "{{device}}" priority 0; policy drop; }
            add chain netdev {{slotTable}} to_guest { type filter hook egress device "{{device}}" priority 0; policy drop; }
            add rule netdev {{slotTable}} from_guest ip saddr {{Addressing.Inside}} ip saddr set {{address}} accept
            add rule netdev {{slotTable}} from_guest arp operation request arp saddr ip {{Addressing.Inside}} arp daddr ip {{Addressing.Gateway}} accept
            add rule netdev {{slotTable}} to_guest ip daddr {{address}} ip daddr set {{Addressing.Inside}} accept
            add rule netdev {{slotTable}} to_guest arp operation reply accept
            add chain inet {{table}} slot_{{slot}}
            add rule inet {{table}} slot_{{slot}} ct state established,related accept
            add rule inet {{table}} slot_{{slot}} ct count over 4096 drop
            add rule inet {{table}} slot_{{slot}} ct status dnat accept
            add rule inet {{table}} slot_{{slot}} ip daddr @allowed accept
            add rule inet {{table}} slot_{{slot}} ip daddr @private reject with icmp type admin-prohibited
            add rule inet {{table}} slot_{{slot}} meta nfproto ipv4 accept
            add rule inet {{table}} slot_{{slot}} drop
            add element inet {{table}} interfaces { "{{device}}" }
            add element inet {{table}} egress { "{{device}}" : goto slot_{{slot}} }

            """;
    }

    /// <summary>Takes a slot's rules away, whichever of them are there ("add" before "delete" makes each delete succeed).</summary>
    internal static string RemoveSlot(string table, int slot)
    {
        var (device, slotTable) = (Addressing.Interface(slot), Addressing.SlotTable(slot));
        return $$"""
            add table netdev {{slotTable}}
            delete table netdev {{slotTable}}
            add table inet {{table}}
            add set inet {{table}} interfaces { type ifname; }
            add map inet {{table}} egress { type ifname : verdict; }
            add chain inet {{table}} slot_{{slot}}
            add element inet {{table}} interfaces { "{{device}}" }
            delete element inet {{table}} interfaces { "{{device}}" }
            add element inet {{table}} egress { "{{device}}" : goto slot_{{slot}} }
            delete element inet {{table}} egress { "{{device}}" }
            delete chain inet {{table}} slot_{{slot}}

            """;
    }
}
