namespace Carrel.Machines;

/// <summary>Where and how machines run on this host.</summary>
public sealed record MachineOptions
{
    /// <summary>The installation's data folder; disks live in <c>disks/</c> below it.</summary>
    public required string DataFolder { get; init; }

    /// <summary>The folder of base images, one subfolder per digest.</summary>
    public required string ImageFolder { get; init; }

    /// <summary>Digest of the <c>desktop</c> image for new disks; null takes the newest in <see cref="ImageFolder"/>.</summary>
    public string? DesktopDigest { get; init; }

    /// <summary>deskd as published; mounted read-only into every machine.</summary>
    public required string DeskdFolder { get; init; }

    /// <summary>Runtime state of all installations on this host; emptied by a reboot.</summary>
    public string RuntimeFolder { get; init; } = "/run/carrel";

    /// <summary>Resolver that machines use; null takes the host's own.</summary>
    public string? DnsServer { get; init; }

    /// <summary>Private ranges (CIDR) that machines may reach all the same; none by default.</summary>
    public IReadOnlyList<string> AllowedPrivateRanges { get; init; } = [];

    /// <summary>Slots (user and network namespaces) made ahead, 0-64.</summary>
    public int SpareSlots { get; init; } = 2;

    /// <summary>Free bytes that the host's disk keeps: below it no new disk is made.</summary>
    public long ReservedDiskBytes { get; init; } = 1L << 30;

    /// <summary>Takes a sentence about what went wrong on the host without keeping anything from going on.</summary>
    public Action<string>? Tell { get; init; }
}
