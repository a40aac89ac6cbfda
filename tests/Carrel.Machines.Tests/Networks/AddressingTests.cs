using System.Net;
using Carrel.Machines.Networks;
using Carrel.Machines.Slots;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Carrel.Machines.Tests.Networks;

public sealed class AddressingTests
{
    [Fact]
    public void Every_slot_has_its_own_address_in_the_host_side_range()
    {
        var range = IPNetwork.Parse(Addressing.HostSideRange);
        var addresses = Enumerable.Range(0, Slot.Count).Select(Addressing.HostSide).ToHashSet();

        Assert.Equal(Slot.Count, addresses.Count);
        Assert.All(addresses, address => Assert.True(range.Contains(address), $"{address}"));
    }

    [Fact]
    public void Interface_names_fit_the_kernel()
        => Prop.ForAll(Gen.Choose(0, Slot.Count - 1).ToArbitrary(), slot => Addressing.Interface(slot).Length <= 15).QuickCheckThrowOnFailure();

    [Fact]
    public void Uid_ranges_do_not_overlap_and_stay_below_the_reserved_uid()
    {
        var last = new Slot(Slot.Count - 1, "/x");

        Assert.Equal(new Slot(6, "/x").RootUid + Slot.RangeSize, new Slot(7, "/x").RootUid);
        Assert.True((ulong)last.RootUid + Slot.RangeSize <= uint.MaxValue);
    }

    [Theory]
    [InlineData("nameserver 10.0.0.53\n", "10.0.0.53")]
    [InlineData("# x\nnameserver 127.0.0.53\nnameserver\t9.9.9.9\n", "9.9.9.9")]
    [InlineData("nameserver ::1\nnameserver fe80::1\n", null)]
    [InlineData("search example\nnameserver\n", null)]
    public void The_first_server_beyond_loopback_is_used(string resolvConf, string? expected)
        => Assert.Equal(expected, HostResolver.FirstUsable(resolvConf.Split('\n')));
}
