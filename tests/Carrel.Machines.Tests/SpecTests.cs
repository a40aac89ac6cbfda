using Xunit;

namespace Carrel.Machines.Tests;

public sealed class SpecTests
{
    [Fact]
    public void Limits_left_null_stay() => Assert.Null(new MachineLimits(Cpus: 1).MemoryBytes);
}
