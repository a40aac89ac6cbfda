using System.Text.Json.Serialization;

namespace Carrel.Contracts.Api;

/// <summary>Body of <c>POST /computers/{id}/snapshots</c>.</summary>
/// <param name="Name">At most 200 characters; the time, if left out.</param>
/// <param name="Description">At most 2000 characters.</param>
public sealed record SnapshotRequest(string? Name = null, string? Description = null);

/// <summary>A computer's disk as it was at one moment.</summary>
/// <param name="SizeBytes">What is in it. What it has in common with its computer's disk and other snapshots takes no room of its own.</param>
/// <param name="DiskSizeGb">Size of the disk, GB.</param>
/// <param name="Cpu">Of the computer then, as <c>ram</c> and <c>resolution</c>: what a computer made from it has unless told otherwise.</param>
/// <param name="Image">Name of the base image under the disk.</param>
/// <param name="ImageDigest">The base image under the disk; it is needed for as long as the snapshot is.</param>
public sealed record SnapshotAnswer(
    string Id,
    string ComputerId,
    string Name,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Description,
    long SizeBytes,
    int DiskSizeGb,
    double Cpu,
    int Ram,
    string Resolution,
    string Image,
    string? ImageDigest,
    DateTimeOffset CreatedAt);

/// <summary>All snapshots of a computer.</summary>
public sealed record SnapshotList(IReadOnlyList<SnapshotAnswer> Snapshots);
