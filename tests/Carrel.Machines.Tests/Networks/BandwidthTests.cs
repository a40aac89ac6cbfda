using Carrel.Machines.Networks;
using Xunit;

namespace Carrel.Machines.Tests.Networks;

public sealed class BandwidthTests
{
    [Theory]
    [InlineData(1, 65_536)]
    [InlineData(1000, 625_000)]
    [InlineData(100_000, 62_500_000)]
    public void A_burst_is_five_milliseconds_of_the_rate_and_at_least_one_large_segment(int mbps, long bytes) => Assert.Equal(bytes, Bandwidth.BurstOf(mbps));
}
