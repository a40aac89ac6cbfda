using Carrel.Machines.Slots;
using Xunit;

namespace Carrel.Machines.Tests.Slots;

public sealed class SlotLeasesTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("carrel-leases-").FullName;

    [Fact]
    public async Task Two_installations_never_get_the_same_slot()
    {
        var leases = new[] { Leases("a"), Leases("b") };

        var slots = await Task.WhenAll(Enumerable.Range(0, 100).Select(number => Task.Run(() => leases[number % 2].Acquire().Number)));

        Assert.Equal(100, slots.Distinct().Count());
        Assert.Equal(50, leases[0].Mine().Count);
        Assert.Empty(leases[0].Mine().Select(slot => slot.Number).Intersect(leases[1].Mine().Select(slot => slot.Number)));
    }

    [Fact]
    public void A_released_slot_can_be_leased_again()
    {
        var leases = Leases("a");
        var slot = leases.Acquire();
        leases.Release(slot);

        Assert.Empty(leases.Mine());
        Assert.Equal(slot.Number, Leases("b").Acquire().Number);
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private SlotLeases Leases(string data) => new(new Folders(new MachineOptions
    {
        DataFolder = Path.Combine(_root, data), ImageFolder = _root, DeskdFolder = _root, RuntimeFolder = Path.Combine(_root, "run"),
    }));
}
