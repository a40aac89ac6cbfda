using System.Text.Json;
using Carrel.Contracts;

namespace Carrel.Machines.Images;

/// <summary>A prepared read-only root filesystem.</summary>
/// <param name="Digest">SHA-256 of the recipe it was built from; also the name of its folder.</param>
internal sealed record BaseImage(string Digest, string RootFs);

/// <summary>
/// Finds base images: <c>&lt;images&gt;/&lt;digest&gt;/{rootfs/, image.json}</c>. A folder without image.json is not finished.
/// </summary>
internal sealed class ImageStore(string folder, string? desktopDigest)
{
    /// <summary>The image that new disks of this name start from.</summary>
    internal Outcome<BaseImage> Current(string name)
    {
        if (desktopDigest is not null)
        {
            return Open(desktopDigest);
        }

        var newest = !Directory.Exists(folder) ? null : Directory.EnumerateDirectories(folder)
            .Select(candidate => Path.Combine(candidate, "image.json"))
            .Where(File.Exists)
            .Where(file => NameIn(file) == name)
            .OrderByDescending(File.GetLastWriteTimeUtc)
            .FirstOrDefault();
        return newest is null
            ? new Failure(ErrorCodes.HostNotReady, $"There is no base image '{name}' under {folder}.", "Run `carrel image build`.")
            : Open(Path.GetFileName(Path.GetDirectoryName(newest)!));
    }

    /// <summary>The image a disk was begun on: an overlay's lower layer must never change below its upper one.</summary>
    internal Outcome<BaseImage> Open(string digest)
    {
        var image = new BaseImage(digest, Path.Combine(folder, digest, "rootfs"));
        return Directory.Exists(image.RootFs)
            ? image
            : new Failure(ErrorCodes.HostNotReady, $"The base image {digest} is not under {folder}.", "Put it back, or run `carrel image build`.");
    }

    private static string? NameIn(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(file));
        return document.RootElement.TryGetProperty("name", out var name) ? name.GetString() : null;
    }
}
