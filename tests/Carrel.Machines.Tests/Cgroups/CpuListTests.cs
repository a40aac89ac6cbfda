using Carrel.Machines.Cgroups;
using Xunit;

namespace Carrel.Machines.Tests.Cgroups;

public sealed class CpuListTests
{
    [Theory]
    [InlineData("0-1\n", new[] { 0, 1 })]
    [InlineData("0,2-4,7", new[] { 0, 2, 3, 4, 7 })]
    [InlineData("\n", new int[0])]
    public void A_list_is_read(string list, int[] cpus) => Assert.Equal(cpus, CpuList.Parse(list));

    [Fact]
    public void A_list_is_written_so_that_the_kernel_reads_it() => Assert.Equal("0,3,5", CpuList.Format([5, 0, 3]));
}
