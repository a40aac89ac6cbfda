using Carrel.Contracts;
using Carrel.Machines.Native;
using Xunit;

namespace Carrel.Machines.Tests.Disks;

public sealed class HostFailureTests
{
    [Fact]
    public void A_full_disk_is_told_as_such_whoever_noticed_it()
    {
        // The kernel's own full disk.
        var thrown = Assert.Throws<IOException>(() => File.WriteAllBytes("/dev/full", new byte[1]));

        Assert.Equal(ErrorCodes.HostDiskFull, HostFailure.Of(thrown).Code);
        Assert.Equal(ErrorCodes.HostDiskFull, HostFailure.Of(new NativeException("write x", Errno.NoSpace)).Code);
        Assert.Equal(ErrorCodes.LaunchFailed, HostFailure.Of(new NativeException("mount x", Errno.Invalid)).Code);
    }
}
